import { Err } from "@capos/abi";
import { LogLevel, levelName, start } from "@capos/libos";
import t from "tap";
import { boot } from "./support/boot.js";

t.test("a guest prints lines of any length, logs at every level and reads what was typed", (t) => {
  const long = "é".repeat(1000);
  const { world, first, heard } = boot(
    function* (sys) {
      // Taken apart, as nothing uses `this`.
      const { print, log, readLine, args } = start(sys);
      yield* print(`hello ${args[0]}`);
      yield* print(long);
      yield* print("");
      for (const write of [log.trace, log.debug, log.info, log.warn, log.error, log.fatal])
        yield* write("record");
      yield* log.info(long);
      return [yield* readLine(), yield* readLine(), yield* readLine()];
    },
    { args: ["you"] },
  );
  world.run();
  t.same(heard.console, ["hello you", long, ""]);
  t.same(
    heard.log.slice(0, 6).map(({ level }) => levelName(level)),
    ["trace", "debug", "info", "warn", "error", "fatal"],
  );
  const parts = heard.log.slice(6);
  t.equal(parts.map(({ text }) => text).join(""), long);
  t.ok(parts.length > 1);
  t.same(
    parts.map(({ more }) => more),
    parts.map((_, i) => i + 1 < parts.length),
    "all but the last say more",
  );
  t.same(parts[0].level, LogLevel.INFO);
  t.same(first.ended, { value: ["typed by hand", "last", null] });
  t.end();
});

t.test("a guest without a console is told so", (t) => {
  const { world, first } = boot(
    function* (sys) {
      yield* start(sys).print("hello");
    },
    { console: false },
  );
  world.run(true);
  t.match(first.ended, { error: { code: Err.BAD_CAP, message: /no console/ } });
  t.end();
});

t.test("a name leads to the endpoint that was registered", (t) => {
  const { world, first } = boot(function* (sys) {
    const os = start(sys);
    const endpoint = yield* os.endpoint();
    yield* os.names.register("mine", endpoint);
    yield* os.names.register("also mine", endpoint);
    const free = os.slots.free;
    const found = yield* os.names.lookup("mine");
    t.equal(first.find(found)?.object, first.find(endpoint)?.object);
    t.same(yield* os.names.list(), ["mine", "also mine"]);
    try {
      yield* os.names.lookup("nobody's");
    } catch (error) {
      t.match(error, { code: Err.NOT_FOUND, message: "names.lookup: ERR_NOT_FOUND" });
    }
    yield* os.drop(found);
    t.equal(os.slots.free, free);
    return "done";
  });
  world.run();
  t.same(first.ended, { value: "done" });
  t.end();
});

t.test("an object or a copy that cannot be made costs no slot", (t) => {
  const { world, first } = boot(
    function* (sys) {
      const os = start(sys);
      const { free } = os.slots;
      for (const [make, expected] of [
        [() => os.notification(), { code: Err.NO_MEMORY, message: "retype: ERR_NO_MEMORY, 0 bytes left" }],
        [() => os.copy(12345, 0), { code: Err.BAD_CAP, message: "copy: ERR_BAD_CAP" }],
        [() => os.copy(12345, 0, 7), { code: Err.BAD_CAP, message: "mint: ERR_BAD_CAP" }],
      ] as const) {
        try {
          yield* make();
          t.fail("no error");
        } catch (error) {
          t.match(error, expected);
        }
        t.equal(os.slots.free, free);
      }
    },
    { memory: 0 },
  );
  world.run();
  t.ok(first.ended);
  t.end();
});
