import {
  addModule,
  BootInfo,
  findModule,
  holdModule,
  MAX_MODULES,
  MODULE_DIRECTORY_PAGES,
  ModuleStoreFullError,
  moduleCount,
  PAGE_BYTES,
  PAGE_WORDS,
  readModule,
  releaseModule,
  unloadModule,
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
      const directory = memory.i32[BootInfo.MODULES];
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
  // Counted in bytes, of which each of these letters has two.
  const letters = Math.floor(left / 2) + 1;
  t.throws(() => addModule(memory, "large", "é".repeat(letters)), {
    name: "ModuleStoreFullError",
    message: new RegExp(`large.*${letters * 2 + 5} bytes.*${left} of ${capacity} are left.*more memory`),
  });
  t.throws(() => addModule(memory, "large", "é".repeat(left)), {
    name: "ModuleTooLargeError",
    message: new RegExp(`large.*${left * 2 + 5} bytes.*store of ${capacity}.*more memory`),
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

t.test("an image is there as long as the host or the kernel holds it", (t) => {
  const { memory } = makeMachine(1);
  for (const name of ["a", "b", "c"]) addModule(memory, name, name);
  t.equal(holdModule(memory, 1, 1), true);
  for (const number of [1, 2]) unloadModule(memory, number);
  t.same(
    [0, 1, 2].map((number) => findModule(memory, number)),
    [0, 1, -1],
  );
  t.equal(holdModule(memory, 2, 2), false, "one that nobody holds is gone");
  t.equal(holdModule(memory, 0, 7), false, "one that has another number");
  t.equal(holdModule(memory, 1, 7), false, "one that has another number, which the kernel holds");
  t.equal(findModule(memory, 1), 1, "what the kernel holds for another is held on");
  unloadModule(memory, 0);
  t.equal(findModule(memory, 0), -1, "what was found to be another was not held");
  releaseModule(memory, 1);
  t.equal(findModule(memory, 1), -1);
  t.equal(moduleCount(memory), 0);
  unloadModule(memory, 1);
  t.end();
});

t.test("the place and the bytes of an image that is gone are used again, its number never", (t) => {
  const { memory, plan } = makeMachine(1);
  const capacity = (plan.modulePages - MODULE_DIRECTORY_PAGES) * PAGE_BYTES;
  const third = Math.floor(capacity / 3);
  const code = (letter: string): string => letter.repeat(third - 1);
  const numbers = ["a", "b", "c"].map((name) => addModule(memory, name, code(name)));
  t.same(numbers, [0, 1, 2]);
  t.throws(() => addModule(memory, "d", code("d")), ModuleStoreFullError);
  unloadModule(memory, 1);
  t.throws(() => addModule(memory, "e", `${code("e")}xyz`), {
    message: new RegExp(`${third} of ${capacity} are left in one piece`),
  });
  t.equal(addModule(memory, "d", code("d")), 3);
  t.equal(findModule(memory, 3), 1, "its place");
  t.equal(findModule(memory, 1), -1, "its number names nothing");
  for (const [place, name] of ["a", "d", "c"].entries())
    t.same(readModule(memory, place), { name, code: code(name) });
  t.end();
});

t.test("more images come and go than the store has places for", (t) => {
  const { memory } = makeMachine(1);
  for (let number = 0; number < 5 * MAX_MODULES; number++) {
    if (addModule(memory, "image", `${number}`) !== number) t.fail(`load ${number} has another number`);
    if (number >= 100) unloadModule(memory, number - 100);
  }
  t.equal(moduleCount(memory), 100);
  t.equal(readModule(memory, findModule(memory, 5 * MAX_MODULES - 1))?.code, `${5 * MAX_MODULES - 1}`);
  t.end();
});

t.test("an image of a kind that no core runs is refused, and the store left as it was", (t) => {
  const { memory } = makeMachine(1);
  for (const kind of [1, -1, 0.5, Number.NaN])
    t.throws(() => addModule(memory, "odd", "x", kind), {
      name: "ModuleKindError",
      message: `image odd: kind ${kind} is out of range, 0 to 0 are possible`,
    });
  t.equal(moduleCount(memory), 0);
  t.equal(addModule(memory, "even", "x", 0), 0);
  t.end();
});
