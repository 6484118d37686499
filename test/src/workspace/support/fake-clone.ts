/** A clone with the real setup, and an install and a compiler that only note that they ran. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { ROOT } from "../../support/cli-process.js";

/**
 * What stands for `npx pnpm install`: makes what an install makes. Where a file `held` is, it says that it is there, by
 * a file `began`, and waits until `held` is gone.
 */
const INSTALL = `
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
appendFileSync("log", "install ");
writeFileSync("began", "");
while (existsSync("held")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
mkdirSync("node_modules/typescript-compiler/bin", { recursive: true });
writeFileSync("node_modules/typescript-compiler/bin/tsc", ${JSON.stringify(`
const fs = require("node:fs");
fs.appendFileSync("log", "compile ");
fs.mkdirSync("packages/one/dist", { recursive: true });
fs.writeFileSync("packages/one/dist/.tsbuildinfo", "");
`)});
`;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface Setup {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when it has written what matches. */
  says(what: RegExp): Promise<void>;
}

export class FakeClone {
  /** @param folder a new one; its parent gets a folder of programs beside it */
  constructor(readonly folder: string) {}

  /** Makes it, as a fresh checkout. */
  make(): this {
    const { folder } = this;
    const files: Readonly<Record<string, string>> = {
      "package.json": '{ "type": "module" }',
      "pnpm-lock.yaml": "",
      "pnpm-workspace.yaml": "",
      "tsconfig.json": "{}",
      "tsconfig.base.json": "{}",
      "packages/one/package.json": "{}",
      "packages/one/tsconfig.json": "{}",
      "packages/one/src/index.ts": "export {};",
    };
    for (const part of ["scripts", "packages/one/src", "programs"])
      mkdirSync(join(folder, part), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const setup = readFileSync(join(ROOT, "scripts/setup.mjs"), "utf8");
    writeFileSync(join(folder, "scripts/setup.mjs"), setup);
    // The programs that it runs when it has compiled: they do nothing here.
    for (const [, program] of setup.matchAll(/"((?:packages|bench)\/[^"]*\/?dist\/[^"]*\.js)"/g)) {
      mkdirSync(join(folder, dirname(program!)), { recursive: true });
      writeFileSync(join(folder, program!), "");
    }
    writeFileSync(join(folder, "programs/install.mjs"), INSTALL);
    const npx = join(folder, "programs/npx");
    writeFileSync(npx, `#!/bin/sh\nexec "${process.execPath}" programs/install.mjs\n`);
    chmodSync(npx, 0o755);
    return this;
  }

  /** Begins a setup, by a command that becomes it if one is given. */
  start(by: readonly string[] = []): Setup {
    const words = [...by, process.execPath, join(this.folder, "scripts/setup.mjs")];
    // What tap puts into a child writes where not every user may.
    const child = spawn("sh", ["-c", 'unset NODE_OPTIONS; exec "$@"', "sh", ...words], {
      cwd: this.folder,
      env: { ...process.env, PATH: `${join(this.folder, "programs")}${delimiter}${process.env.PATH}` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      child.emit("said");
    });
    const ended = once(child, "close").then(([status, signal]): Ended => ({ status, signal, stderr }));
    return {
      child,
      ended,
      async says(what) {
        while (!what.test(stderr)) await once(child, "said");
      },
    };
  }

  /** What ran, in its order. */
  get log(): string {
    const file = join(this.folder, "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Has the install wait; answers what lets it go on. */
  hold(): () => void {
    const held = join(this.folder, "held");
    writeFileSync(held, "");
    return () => rmSync(held);
  }

  /** Resolves when the install has begun. */
  async began(): Promise<void> {
    while (!existsSync(join(this.folder, "began"))) await new Promise(setImmediate);
  }

  get lock(): string {
    return join(this.folder, ".capos-lock");
  }
}
