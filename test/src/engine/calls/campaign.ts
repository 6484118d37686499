/** Makes calls in processes, one after the other: what ends one of them is a call that broke its promise. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildImage } from "@capos/image";
import type { Broken, Report } from "./protocol.js";

/** A seed's walk, from a position to before another. */
export interface Stretch {
  readonly seed: number;
  readonly from: number;
  readonly end: number;
}

/** What a campaign tells while it goes on. */
export interface CampaignEvents {
  onBroken?(broken: Broken): void;
  /** All before `position` was tried, of `total`. */
  onReached?(position: number, total: number): void;
}

/** Tries the calls of a stretch; answers those that neither ended nor could be ended, or took the process along. */
export async function tryCalls(stretch: Stretch, events: CampaignEvents = {}): Promise<readonly Broken[]> {
  const folder = mkdtempSync(join(tmpdir(), "capos-calls-"));
  try {
    const source = fileURLToPath(new URL("../../../src/engine/calls/guest.ts", import.meta.url));
    const image = join(folder, "image.js");
    writeFileSync(image, (await buildImage(source)).code);
    const found: Broken[] = [];
    for (let from = stretch.from, total = stretch.end; from < Math.min(stretch.end, total); ) {
      const names = join(folder, "names");
      const told = (report: Report) => {
        if ("broken" in report) {
          found.push(report.broken);
          events.onBroken?.(report.broken);
          from = report.broken.position + 1;
        } else {
          ({ total } = report);
          from = Math.max(from, report.reached);
          events.onReached?.(from, total);
        }
      };
      const end = await oneProcess([names, image, `${stretch.seed}`, `${from}`, `${stretch.end}`], told);
      if (end === null) continue;
      // What it was at is in the file, if it was not what has been said of it.
      const [, at, name] = /^(\d+) (.*?) *$/.exec(readFileSync(names, "utf8")) ?? [];
      if (at === undefined) throw new Error(`the process for calls of built-ins cannot start: ${end}`);
      if (found.at(-1)?.position !== Number(at))
        told({ broken: { position: Number(at), name: name!, how: `ended the process: ${end}` } });
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one process to its end; answers how it ended, null if well. */
async function oneProcess(args: string[], told: (report: Report) => void): Promise<string | null> {
  const program = fileURLToPath(new URL("./host.js", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: "pipe", env: {} });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said = `${said}${data}`.slice(-2000);
  });
  const closed = new Promise<string | null>((resolve) => {
    child.on("close", (status, signal) =>
      resolve(status === 0 ? null : `${signal ?? `status ${status}`} ${said}`.trim()),
    );
  });
  for await (const line of createInterface(child.stdout)) told(JSON.parse(line) as Report);
  return await closed;
}
