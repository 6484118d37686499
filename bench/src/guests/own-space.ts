/** An address space of a guest's own, with tables for the 2 MiB that it measures in, and the next 2. */
import { ObjectType } from "@capos/abi";
import { type Os, pageTable, process, type Steps } from "@capos/libos";

/** Where it measures: at a multiple of 2 MiB. */
export const BASE = 2 ** 32;
export const NEXT = BASE + 2 ** 21;

/** Makes it and has the process use it; gives its handle. */
export function* makeOwnSpace(os: Os): Steps<number> {
  const { sys, environment } = os;
  const space = yield* os.make(ObjectType.ADDRESS_SPACE);
  for (const at of [BASE, BASE, BASE, NEXT])
    yield* pageTable.map(sys, yield* os.make(ObjectType.PAGE_TABLE), space, at);
  yield* process.use(sys, environment.process, space);
  return space;
}
