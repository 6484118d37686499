/**
 * The packed package, as its users have it: packed, and installed by npm in an empty folder outside the clone, with an empty
 * HOME. npm keeps its own configuration (where it gets packages) and its cache.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import type { Test } from "tap";
import { type Finished, ROOT } from "../../support/cli-process.js";

const NPM = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

export class Installed {
  private constructor(
    /** Where the tarball and the empty folder are. */
    readonly folder: string,
    readonly tarball: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Packs, and makes an empty folder beside the tarball. Both are gone when the test ends. */
  static async pack(t: Test): Promise<Installed> {
    const folder = mkdtempSync(join(tmpdir(), "capos-packed-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const home = join(folder, "home");
    mkdirSync(home);
    const configured = async (key: string): Promise<string> =>
      (await run("npm", ["config", "get", key], ROOT, process.env)).stdout.trim();
    // Nothing of the npm that runs the tests, and of the clone.
    const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name));
    const env = {
      ...Object.fromEntries(own),
      HOME: home,
      USERPROFILE: home,
      npm_config_userconfig: await configured("userconfig"),
      npm_config_cache: await configured("cache"),
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    };
    const packed = await run(process.execPath, ["scripts/pack.mjs", "--out", folder], ROOT, process.env);
    if (packed.status !== 0) throw new Error(packed.stderr);
    return new Installed(folder, packed.stdout.split(": ")[0]!, env);
  }

  /** Runs a program in a folder, by its name there or in PATH. */
  run(cwd: string, program: string, ...args: string[]): Promise<Finished> {
    return run(program, args, cwd, this.env);
  }

  npm(cwd: string, ...args: string[]): Promise<Finished> {
    const [command, ...rest] = args;
    return this.run(cwd, "npm", command!, ...NPM, ...rest);
  }

  /** An empty project with the package installed, and files. */
  async project(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.folder, "project");
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{"private": true, "type": "module"}');
    const install = await this.npm(folder, "install", this.tarball);
    t.equal(install.status, 0, install.stderr);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  }
}

function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // tap has each Node that a test starts load its own modules, by this variable, which it sets as late as here.
    const child = spawn("env", ["-u", "NODE_OPTIONS", program, ...args], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
