/** Saved runs: benchmark documents in files. What is read fits `bench/schema.json`. */
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { visibleJson } from "@capos/abi";
import { type BenchmarkDocument, SCHEMA } from "@capos/bench";
import { reasonOf } from "@capos/explorer/reason";
import { UsageError } from "@capos/machine/errors";
import { Ajv2020 } from "ajv/dist/2020.js";
import { writeOutput } from "./output-file.js";

/** Far above what a run of a day has. */
const MAX_BYTES = 1 << 28;
const HOW_TO_MAKE_ONE = "make one with capos-smp bench --save FILE";

/**
 * The run that a file holds.
 * @throws UsageError if there is none, or it is damaged, of another version, or something else.
 */
export function readDocument(file: string): BenchmarkDocument {
  const value = parse(file, readText(file));
  const schema = isObject(value) ? value.schema : undefined;
  const [format, version] = typeof schema === "string" ? schema.split("/") : [];
  const [ownFormat, ownVersion] = SCHEMA.split("/");
  if (format !== ownFormat) throw new UsageError(`${file} is no benchmark document: ${HOW_TO_MAKE_ONE}`);
  if (version !== ownVersion) {
    const [age, advice] =
      Number(version) < Number(ownVersion)
        ? ["an older", "save the run anew"]
        : ["another", "read it with the capos-smp that wrote it"];
    throw new UsageError(`${file} is of ${age} version (${schema}, this reads ${SCHEMA}): ${advice}`);
  }
  check(file, value);
  return value;
}

/**
 * Saves a run, whole or not at all.
 * @param options.force whether the file may be there already
 * @throws UsageError
 */
export function writeDocument(file: string, document: BenchmarkDocument, options: { force: boolean }): void {
  writeOutput(file, `${visibleJson(document)}\n`, options.force);
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_BYTES) throw new Error(`${size.toLocaleString("en-US")} bytes are too many`);
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file" : reasonOf(error);
    throw new UsageError(`${file} cannot be read: ${reason}`);
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is damaged (no JSON): ${HOW_TO_MAKE_ONE}`);
  }
}

function check(file: string, value: unknown): asserts value is BenchmarkDocument {
  const schema = createRequire(import.meta.url)("@capos/bench/schema.json") as object;
  const validate = new Ajv2020().compile(schema);
  if (!validate(value)) {
    const [error] = validate.errors!;
    const where = error!.instancePath === "" ? "the document" : error!.instancePath;
    throw damaged(file, `${where} ${error!.message}`);
  }
  // What a schema cannot say.
  const { run, results } = value as unknown as BenchmarkDocument;
  const names = new Set<string>();
  for (const result of results) {
    const name = `${result.suite} ${result.name}`;
    if (names.has(name)) throw damaged(file, `${name} is there twice`);
    names.add(name);
    if ("refused" in result) continue;
    if (result.trials.length > run.repetitions || result.trials.length !== result.series.length)
      throw damaged(file, `${name} has ${result.trials.length} trials and ${result.series.length} series`);
  }
}

function damaged(file: string, what: string): UsageError {
  return new UsageError(`${file} is damaged (${what}): ${HOW_TO_MAKE_ONE}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
