/**
 * Programs for the transformation: written to a folder, run as they are and transformed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Coroutine, Runtime } from "@capos/explorer";
import {
  instantiate,
  type Program,
  type ProgramOptions,
  performAtOnce,
  runToEnd,
  transformProgram,
} from "@capos/explorer/transform";
import type { Test } from "tap";

export type Exports = Record<string, unknown>;
export type Files = string | Record<string, string>;

/** Writes a program's modules; answers the path of `main.js`. One text is main.js alone. */
export function writeModules(t: Test, files: Files): string {
  const folder = t.testdir();
  const all = typeof files === "string" ? { "main.js": files } : files;
  for (const [name, text] of Object.entries({ "package.json": '{"type":"module"}', ...all })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, "main.js");
}

export async function transform(
  t: Test,
  files: Files,
  options: Partial<ProgramOptions> = {},
): Promise<Program> {
  const entry = writeModules(t, files);
  return await transformProgram({ entry, replacements: {}, edits: [], root: dirname(entry), ...options });
}

/** A transformed program that nothing ever interrupts. */
export function atOnce(program: Program): Exports {
  return instantiate(program, performAtOnce(), {});
}

/** A runtime for which everything is a scheduling point: what is announced happens when it is performed, not before. */
export function alwaysYield(): Runtime {
  const runtime = performAtOnce();
  let perform: () => void = () => {};
  const later = (announce: () => boolean): true => {
    perform = announce;
    return true;
  };
  const now = (result: () => unknown) => () => {
    perform();
    return result();
  };
  return {
    op: (...operands) => later(() => runtime.op(...operands)),
    peek: (...operands) => later(() => runtime.peek(...operands)),
    poke: (...operands) => later(() => runtime.poke(...operands)),
    run: now(() => runtime.run()),
    take: now(() => runtime.take()),
    put: now(() => runtime.put()),
    enter() {},
    turn() {},
  };
}

/** A call's result or what it threw. */
export function outcomeOf(call: () => unknown): unknown {
  try {
    const result = call();
    return { result: isCoroutine(result) ? runToEnd(result) : result };
  } catch (error) {
    return { error: (error as Error).constructor.name };
  }
}

function isCoroutine(value: unknown): value is Coroutine {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

/** The program as it stands on the disk. */
export async function native(entry: string): Promise<Exports> {
  return (await import(pathToFileURL(entry).href)) as Exports;
}
