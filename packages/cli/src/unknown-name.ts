/** Names that a command line holds and that nothing has: what a user is told. */
import { visible } from "@capos/abi";
import { UsageError } from "@capos/machine/errors";
import { closest, distance } from "fastest-levenshtein";

/** The name that was meant, most likely; undefined if none is near. */
function nearestName(name: string, names: readonly string[]): string | undefined {
  if (name === "" || names.length === 0) return undefined;
  const nearest = names.find((other) => other.includes(name)) ?? closest(name, names);
  return nearest.includes(name) || distance(name, nearest) <= Math.max(2, name.length / 2)
    ? nearest
    : undefined;
}

/**
 * The error for a name that nothing has.
 * @param what stands before it: an option, or what kind of name it is
 * @param listed what shows all names, as it is typed
 */
export function unknownName(
  what: string,
  name: string,
  names: readonly string[],
  listed: string,
): UsageError {
  const nearest = nearestName(name, names);
  const shown = name === "" ? "an empty name" : `there is no ${visible(name)}`;
  const hint =
    nearest === undefined ? `${listed} names them` : `did you mean ${nearest}? ${listed} names all`;
  return new UsageError(`${what}: ${shown}; ${hint}`);
}
