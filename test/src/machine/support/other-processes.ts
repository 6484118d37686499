/** Machines in other processes, for tests of what asks them. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { caposSmp, type Finished } from "../../support/cli-process.js";

/** A guest that waits for a notification and never ends. */
export const WAITS = "test/fixtures/cli/waits.ts";

/** An empty folder for temporary files, where no other test's machine is. */
export function ownTemporaryFolder(t: Test): { env: Record<string, string>; folder: string } {
  const path = mkdtempSync(join(tmpdir(), "inspect-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return { env: { TMPDIR: path }, folder: join(path, `capos-smp-${userInfo().uid}`) };
}

/** The socket of the machine that a process runs. */
export function socketOf(folder: string, pid: number): string {
  return join(folder, readdirSync(folder).find((name) => name.startsWith(`${pid}-`))!);
}

/** Runs a machine whose guest waits for ever, does something beside it, and ends it. */
export async function beside(
  env: Record<string, string>,
  use: (pid: number) => Promise<void>,
  args: readonly string[] = [WAITS],
): Promise<Finished> {
  let using: Promise<void> | null = null;
  const finished = await caposSmp(["run", "--cores", "2", "--memory", "64", ...args], {
    env,
    onOutput(text, kill, pid) {
      if (using !== null || !text.includes("waiting")) return;
      using = use(pid).finally(() => kill("SIGINT"));
      // Awaited once the machine is gone.
      using.catch(() => {});
    },
  });
  if (using === null) throw new Error(`the machine did not come up: ${finished.stderr}`);
  await using;
  return finished;
}
