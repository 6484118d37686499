/** What `--list` prints of things that have names. */

/** A line for each: its name, and behind all names what there is to say of it. */
export function namedLines<Item extends { readonly name: string }>(
  items: readonly Item[],
  about: (item: Item) => string,
): string {
  const width = Math.max(0, ...items.map(({ name }) => name.length));
  return items.map((item) => `${item.name.padEnd(width)}  ${about(item)}\n`).join("");
}
