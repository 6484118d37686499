/** Reading and writing what a campaign keeps: JSON that says what it is. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { reasonOf } from "./reason.js";
import { FileError } from "./whole-file.js";

/** A file, or something that it names, cannot be used: the message is one line and says what to do. */
export class CheckFileError extends FileError {
  override readonly name = "CheckFileError";
}

/** Most characters of a file that are read: far above what a campaign writes. */
const MOST_BYTES = 1 << 28;

/** Text of a file; undefined if there is none. @throws CheckFileError */
export function readIfThere(path: string): string | undefined {
  try {
    const text = readFileSync(path);
    if (text.length > MOST_BYTES) throw new Error(`${text.length} bytes are too many`);
    return text.toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CheckFileError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

const head = v.object({ format: v.string(), version: v.number() });

/**
 * A document of a format and version, its shape checked. `advice` says what to do about a damaged one.
 * @throws CheckFileError
 */
export function parseDocument<Schema extends v.GenericSchema>(
  path: string,
  text: string,
  { format, version, schema, advice }: { format: string; version: number; schema: Schema; advice: string },
): v.InferOutput<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CheckFileError(`${path} is damaged (no JSON): ${advice}`);
  }
  const is = v.safeParse(head, value);
  if (!is.success || is.output.format !== format) throw new CheckFileError(`${path} is no ${format} file`);
  if (is.output.version !== version)
    throw new CheckFileError(
      `${path} is of version ${is.output.version} of the format, this is ${version}: ${advice}`,
    );
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const where = v.getDotPath(issue) ?? "document";
  throw new CheckFileError(`${path} is damaged (${where}: ${issue.message}): ${advice}`);
}

/** What both files hold. */
export const name = v.pipe(v.string(), v.maxLength(200));
export const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{8,64}$/, "no fingerprint"));
const seed = v.pipe(v.number(), v.integer());

export const strategy = v.variant("kind", [
  v.object({ kind: v.literal("dpor") }),
  v.object({ kind: v.literal("dfs") }),
  v.object({ kind: v.literal("bounded"), preemptions: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  v.object({ kind: v.literal("pct"), depth: v.pipe(v.number(), v.integer(), v.minValue(1)), seed }),
  v.object({ kind: v.literal("random"), seed }),
]);
