/** Files that are there whole or not at all. */
import { once } from "node:events";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { checkWritable, FileError, GrowingFile, writeWhole } from "@capos/explorer/whole-file";
import t from "tap";

const read = (file: string): string => readFileSync(file, "utf8");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const refusal = (message: RegExp) => ({ name: "FileError", message });

t.test("a file is written over another only if that is asked for", (t) => {
  const folder = t.testdir({ mine: "old" });
  const mine = join(folder, "mine");
  for (const work of [
    () => checkWritable(mine, false),
    () => writeWhole(mine, "new", false),
    () => new GrowingFile(mine, false),
  ])
    t.throws(work, refusal(/mine exists: name another file, or overwrite it with --force$/));
  t.equal(read(mine), "old");
  checkWritable(mine, true);
  t.equal(read(mine), "old", "a check changes nothing");
  writeWhole(mine, "new", true);
  t.equal(read(mine), "new");
  writeWhole(join(folder, "other"), "new too", false);
  checkWritable(join(folder, "third"), false);
  t.same(readdirSync(folder), ["mine", "other"], "nothing else is left");
  t.end();
});

t.test("what is no ordinary file is never replaced", (t) => {
  const folder = t.testdir({ folder: {} });
  for (const place of [join(folder, "folder"), "/dev/null"]) {
    t.throws(() => checkWritable(place, true), refusal(/is no ordinary file: name another one$/), place);
    t.throws(() => writeWhole(place, "", true), FileError, place);
    t.throws(() => new GrowingFile(place, true), FileError, place);
  }
  t.end();
});

t.test("a file keeps its permissions, a link leads where it led", (t) => {
  const folder = t.testdir({ there: { secret: "old" } });
  const [secret, link] = [join(folder, "there/secret"), join(folder, "link")];
  chmodSync(secret, 0o600);
  symlinkSync(secret, link);
  writeWhole(link, "new", true);
  t.equal(read(secret), "new");
  t.equal(statSync(secret).mode & 0o777, 0o600);
  t.ok(lstatSync(link).isSymbolicLink());
  t.same(readdirSync(folder), ["link", "there"]);
  const nowhere = join(folder, "nowhere");
  symlinkSync(join(folder, "no/such"), nowhere);
  t.throws(() => writeWhole(nowhere, "", false), refusal(/nowhere exists/));
  t.throws(() => new GrowingFile(nowhere, false), FileError);
  t.end();
});

t.test("a file that grows takes its place at once, and leaves it when it is discarded", (t) => {
  const folder = t.testdir({});
  const place = join(folder, "trace");
  const first = new GrowingFile(place, false);
  t.throws(() => new GrowingFile(place, false), refusal(/trace exists/), "nobody else takes it");
  first.write(bytes("1"));
  t.equal(read(place), "1");
  first.write(bytes("2"));
  first.keep();
  first.discard();
  t.equal(read(place), "12", "what is kept stays");
  const second = new GrowingFile(place, true);
  second.write(bytes("3"));
  t.equal(read(place), "12", "the old one stays until the new one is whole");
  second.discard();
  t.same([read(place), readdirSync(folder)], ["12", ["trace"]]);
  const third = new GrowingFile(place, true);
  third.write(bytes("4"));
  third.keep();
  t.equal(read(place), "4");
  new GrowingFile(join(folder, "none"), false).discard();
  t.same(readdirSync(folder), ["trace"]);
  t.end();
});

t.test("a file that somebody else makes meanwhile is not replaced", (t) => {
  const folder = t.testdir({ old: "old" });
  const growing = new GrowingFile(join(folder, "new"), false);
  t.throws(() => writeWhole(join(folder, "new"), "other", false), refusal(/new exists/));
  growing.write(bytes("own"));
  growing.keep();
  t.equal(read(join(folder, "new")), "own");
  t.same(readdirSync(folder), ["new", "old"]);
  t.end();
});

t.test("a name as long as the system takes can be written", (t) => {
  const folder = t.testdir({});
  const name = "n".repeat(255);
  writeWhole(join(folder, name), "1", false);
  writeWhole(join(folder, name), "2", true);
  t.same(readdirSync(folder), [name]);
  t.throws(() => writeWhole(join(folder, `${name}n`), "", true), refusal(/its name is too long$/));
  symlinkSync("circle", join(folder, "circle"));
  t.throws(() => writeWhole(join(folder, "circle"), "", true), refusal(/its links lead in a circle$/));
  t.end();
});

t.test("writers with the same process id, side by side, leave one whole file and nothing else", async (t) => {
  const folder = t.testdir({});
  const file = join(folder, "shared");
  const module = import.meta.resolve("@capos/explorer/whole-file");
  // Threads of a process have one id, as the first processes of two containers have.
  const program = `
    const { writeWhole } = await import(${JSON.stringify(module)});
    const { workerData } = await import("node:worker_threads");
    for (let i = 0; i < 50; i++) writeWhole(${JSON.stringify(file)}, String(workerData).repeat(100_000), true);
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const writers = [1, 2, 3, 4].map((workerData) => new Worker(url, { workerData }));
  for (const [code] of await Promise.all(writers.map((writer) => once(writer, "exit")))) t.equal(code, 0);
  t.match(read(file), /^(\d)\1{99999}$/);
  t.same(readdirSync(folder), ["shared"]);
});
