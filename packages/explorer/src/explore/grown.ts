/** Tables that grow: a longer copy of an array. */
export function grown<Table extends Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  old: Table,
  length: number,
): Table {
  const made = new (old.constructor as new (length: number) => Table)(length);
  made.set(old);
  return made;
}
