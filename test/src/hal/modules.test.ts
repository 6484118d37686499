import {
  addModule,
  BootInfo,
  MAX_MODULES,
  MODULE_DIRECTORY_PAGES,
  ModuleStoreFullError,
  moduleCount,
  PAGE_BYTES,
  PAGE_WORDS,
  readModule,
} from "@capos/hal";
import fc from "fast-check";
import t from "tap";
import { makeMachine, useSeed } from "../support/machine.js";

useSeed(t);

/** What can be stored: any text without lone surrogates, which UTF-8 has not. */
const text = fc.string({ unit: "binary", maxLength: 200, size: "max" });

t.test("images are read as they were added, in that order, names and code in any script", (t) => {
  const { memory } = makeMachine(1);
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (images) => {
      const directory = memory.i32[BootInfo.MODULES]!;
      for (let i = 0; i < MODULE_DIRECTORY_PAGES * PAGE_WORDS; i++) memory.i32[directory + i] = 0;
      const numbers = images.map(([name, code]) => addModule(memory, name, code));
      return (
        moduleCount(memory) === images.length &&
        numbers.every((number, i) => number === i) &&
        images.every(([name, code], i) => {
          const found = readModule(memory, i);
          return found?.name === name && found.code === code;
        })
      );
    }),
    {
      examples: [
        [
          [
            ["\ufeffname", "\ufeffcode"],
            ["größe 名前 🚀", "main()"],
            ["", ""],
          ],
        ],
      ],
    },
  );
  t.end();
});

t.test("a number that no image has reads as null", (t) => {
  const { memory } = makeMachine(1);
  t.equal(readModule(memory, 0), null);
  addModule(memory, "a", "b");
  for (const number of [1, -1, MAX_MODULES, Number.NaN, 2 ** 32])
    t.equal(readModule(memory, number), null, `${number}`);
  t.same(readModule(memory, 0), { name: "a", code: "b" });
  t.end();
});

t.test("an image that does not fit is refused with what is left, and leaves the store as it was", (t) => {
  const { memory, plan } = makeMachine(1);
  const capacity = (plan.modulePages - MODULE_DIRECTORY_PAGES) * PAGE_BYTES;
  addModule(memory, "first", "x".repeat(1000));
  const left = capacity - 1005;
  t.throws(() => addModule(memory, "large", "é".repeat(left)), {
    name: "ModuleStoreFullError",
    message: new RegExp(`large.*${left * 2 + 5} bytes.*${left} of ${capacity} are left.*more memory`),
  });
  t.throws(() => addModule(memory, "x", "y".repeat(left)), ModuleStoreFullError, "one byte too many");
  t.equal(moduleCount(memory), 1);
  t.equal(addModule(memory, "x", "y".repeat(left - 1)), 1, "the last byte can be used");
  t.equal(readModule(memory, 1)?.code.length, left - 1);
  t.equal(readModule(memory, 0)?.code, "x".repeat(1000), "the first image is whole");
  t.throws(() => addModule(memory, "", "z"), ModuleStoreFullError, "full");
  t.equal(memory.i32[plan.free], 0, "nothing was written behind the store");
  t.end();
});

t.test("an image too many is refused for the number of images, not for its size", (t) => {
  const { memory } = makeMachine(1);
  for (let number = 0; number < MAX_MODULES; number++) addModule(memory, `image ${number}`, `${number}`);
  t.throws(() => addModule(memory, "one more", ""), {
    name: "ModuleStoreFullError",
    message: new RegExp(`${MAX_MODULES} images`),
  });
  t.equal(moduleCount(memory), MAX_MODULES);
  t.same(
    readModule(memory, MAX_MODULES - 1),
    { name: `image ${MAX_MODULES - 1}`, code: `${MAX_MODULES - 1}` },
    "the directory did not run into the bytes",
  );
  t.same(readModule(memory, 0), { name: "image 0", code: "0" });
  t.end();
});

t.test("more memory holds more images", (t) => {
  const { memory } = makeMachine(1, { memoryMiB: 64 });
  t.equal(addModule(memory, "large", "x".repeat(7 * 2 ** 20)), 0);
  t.end();
});
