import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DOCUMENT = new URL("../../../docs/extending.md", import.meta.url);

t.test("the diff that docs/extending.md shows fits the tree", (t) => {
  const [, diff] = /```diff\n(.*?)```\n/s.exec(readFileSync(DOCUMENT, "utf8")) ?? [];
  t.ok(diff, "there is one");
  const { status, stderr } = spawnSync("git", ["apply", "--check", "-"], {
    cwd: ROOT,
    input: diff ?? "",
    encoding: "utf8",
  });
  t.equal(status, 0, stderr);
  t.end();
});
