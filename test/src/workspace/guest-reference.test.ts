/** docs/guest-reference.md has every name, as the source has it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { Err, errorName } from "@capos/abi";
import t from "tap";
import { ROOT } from "../support/cli-process.js";
import { readPage } from "../support/document.js";

t.setTimeout(300_000);

t.test("what the page takes from the source is what it says there", (t) => {
  const script = join(ROOT, "scripts/guest-reference.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  t.equal(stderr, "");
  t.equal(status, 0);
  t.end();
});

t.test("the page says of each error that there is, and of no other, what to do", (t) => {
  const page = readPage("docs/guest-reference.md");
  const [, table] = /^\| error .*?\n\|.*?\n(.*?)\n\n/ms.exec(page)!;
  const rows = table!.split("\n").map((row) => row.split("|").map((cell) => cell.trim()));
  const all = [];
  for (let code = -1; code > -100; code--)
    if (!errorName(code).endsWith(")")) all.push(errorName(code).slice("ERR_".length));
  t.ok(all.includes("REVOKED") && errorName(Err.OK) === "OK");
  t.same(
    rows.map(([, name]) => name),
    all.map((name) => `\`${name}\``),
  );
  for (const [, name, when, what] of rows) t.ok(when && what, name);
  t.end();
});
