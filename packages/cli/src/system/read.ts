/**
 * Reads a system's description, and finds all that is wrong with it before anything runs: each mistake is told with its place in
 * the file.
 */
import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { visible } from "@capos/abi";
import { reasonOf } from "@capos/explorer/reason";
import { UsageError } from "@capos/machine/errors";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type { ProgramDescription, SystemDescription } from "./description.js";
import { type Path, type Reading, titled, type Wrong } from "./mistake.js";
import { SYSTEM_SCHEMA } from "./schema.js";

const RESERVED = "system";
const FORMATS = [".yaml", ".yml", ".json", ".ts", ".mts", ".js", ".mjs"];
const HOW = "capos-smp up --schema prints what may be said";

/** A program, complete. */
export interface SystemProgramFile extends Required<Omit<ProgramDescription, "core" | "uses">> {
  readonly name: string;
  /** Its file, from where the command was called. */
  readonly file: string;
  readonly core: number | null;
  readonly uses: readonly { readonly endpoint: string; readonly rights: readonly ("grant" | "revoke")[] }[];
}

export interface System {
  readonly file: string;
  readonly machine: NonNullable<SystemDescription["machine"]>;
  readonly supervisor: NonNullable<SystemDescription["supervisor"]>;
  /** In the order of their start. */
  readonly programs: readonly SystemProgramFile[];
  /** For what is wrong with it on the machine that it is to run on. */
  readonly wrong: Wrong;
}

/** @throws UsageError: one line with file, line and column */
export async function readSystem(file: string): Promise<System> {
  const extension = extname(file);
  if (!FORMATS.includes(extension))
    throw new UsageError(`${file}: a system is described in a file that ends in ${FORMATS.join(", ")}`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${file}: ${code === "ENOENT" ? "there is no such file" : reasonOf(error)}`);
  }
  const isModule = !/^\.(ya?ml|json)$/.test(extension);
  // The tools for that take longer to load than most descriptions to be read.
  const { value, wrong } = isModule
    ? await (await import("./read-module.js")).readModule(file)
    : readText(file, text);
  checkShape(value, wrong);
  return complete(file, value as SystemDescription, wrong);
}

function readText(file: string, text: string): Reading {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) throw new UsageError(visible(`${at(error.pos[0])}: ${error.message}`));
  const wrong: Wrong = (path, what) =>
    new UsageError(visible(`${at(offsetOf(document, path))}: ${titled(path)}${what}`));
  return { value: document.toJS(), wrong };
}

/** Where a value stands; where its key does, for what is wrong with that; else what it is missing in. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const validate = new Ajv2020({ allErrors: false, strict: false }).compile(SYSTEM_SCHEMA);

function checkShape(value: unknown, wrong: Wrong): void {
  if (value === null || typeof value !== "object")
    throw wrong([], `a description with programs is needed; ${HOW}`);
  if (validate(value)) return;
  const error = validate.errors!.at(-1)!;
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  throw wrong(...placeAndReason(path, error, validate.errors!));
}

function placeAndReason(path: string[], error: ErrorObject, all: readonly ErrorObject[]): [Path, string] {
  const { keyword, params, message } = error;
  if (keyword === "additionalProperties")
    return [[...path, params.additionalProperty], `there is no such setting; ${HOW}`];
  if (keyword === "required") return [path, `${params.missingProperty} is missing`];
  if (keyword === "enum") return [path, `possible are ${params.allowedValues.join(", ")}`];
  if (keyword === "propertyNames" || all.some((one) => one.keyword === "propertyNames"))
    return [
      [...path, params.propertyName ?? error.propertyName],
      "a name is 1 to 32 letters, digits, _ . or -",
    ];
  if (keyword === "pattern") return [path, "a name is 1 to 32 letters, digits, _ . or -"];
  return [path, `${message}; ${HOW}`];
}

/** Fills in what is not said, and checks what no schema can say. */
function complete(file: string, description: SystemDescription, wrong: Wrong): System {
  const folder = dirname(file);
  const { machine = {}, supervisor = {} } = description;
  const entries = Object.entries(description.programs);
  const { backOff } = supervisor;
  if (backOff !== undefined && backOff.mostMs < backOff.firstMs)
    throw wrong(
      ["supervisor", "backOff", "mostMs"],
      `${backOff.mostMs} is less than firstMs, ${backOff.firstMs}`,
    );
  const providers = new Map<string, string>();
  for (const [name, { provides = [], memory }] of entries) {
    const path = ["programs", name];
    if (name === RESERVED) throw wrong(path, "the system's own messages have this name: choose another");
    if (memory !== undefined && memory !== 0 && (memory < 64 || !Number.isInteger(Math.log2(memory))))
      throw wrong([...path, "memory"], `${memory} is no power of two from 64 to 2^30, nor 0`);
    for (const [i, endpoint] of provides.entries()) {
      const other = providers.get(endpoint);
      if (other !== undefined)
        throw wrong(
          [...path, "provides", i],
          `${other} provides ${endpoint} already: an endpoint has one provider`,
        );
      providers.set(endpoint, name);
    }
  }
  for (const [name, { uses = {}, after = [], core }] of entries) {
    const path = ["programs", name];
    for (const endpoint of Object.keys(uses)) {
      const provider = providers.get(endpoint);
      if (provider === undefined)
        throw wrong(
          [...path, "uses", endpoint],
          `nobody provides ${endpoint}: ${providers.size === 0 ? "no program provides anything" : `there are ${[...providers.keys()].join(", ")}`}`,
        );
      if (provider === name) throw wrong([...path, "uses", endpoint], `${name} provides it itself`);
    }
    for (const [i, other] of after.entries())
      if (!Object.hasOwn(description.programs, other))
        throw wrong(
          [...path, "after", i],
          `there is no program ${other}, there are ${entries.map(([one]) => one).join(", ")}`,
        );
    if (core !== undefined && machine.cores !== undefined && core >= machine.cores)
      throw wrong([...path, "core"], `the machine has ${machine.cores} cores, 0 to ${machine.cores - 1}`);
  }
  const ordered = inOrder(description.programs, wrong);
  return {
    ...{ file, machine, supervisor, wrong },
    programs: ordered.map((name) => {
      const { image, core, uses = {}, ...said } = description.programs[name]!;
      return {
        ...{ args: [], priority: 100, threads: 8, memory: 2 ** 20, restart: "permanent" as const },
        ...{ names: false, provides: [], after: [], name, image },
        ...said,
        file:
          resolve(folder, image) === image
            ? image
            : `${folder === "." ? "" : `${folder}/`}${image.replace(/^\.\//, "")}`,
        core: core ?? null,
        uses: Object.entries(uses).map(([endpoint, rights]) => ({ endpoint, rights })),
      };
    }),
  };
}

/** The programs so that each stands behind those that it is started after, else as they are written. */
function inOrder(programs: SystemDescription["programs"], wrong: Wrong): string[] {
  const ordered: string[] = [];
  const visit = (name: string, way: readonly string[]): void => {
    if (ordered.includes(name)) return;
    if (way.includes(name)) {
      const circle = [...way.slice(way.indexOf(name)), name];
      throw wrong(["programs", way.at(-1)!, "after"], `a circle: ${circle.join(" after ")}`);
    }
    for (const other of programs[name]!.after ?? []) visit(other, [...way, name]);
    ordered.push(name);
  };
  for (const name of Object.keys(programs)) visit(name, []);
  return ordered;
}
