/** The choices of a schedule as text: `0*12 1*3 0` are twelve steps of core 0, three of core 1, one of core 0. */

/** Steps of one core without another's in between. */
export interface Block {
  readonly core: number;
  readonly steps: number;
}

export function toBlocks(choices: string): Block[] {
  const blocks: { core: number; steps: number }[] = [];
  for (const digit of choices) {
    const core = Number(digit);
    const last = blocks.at(-1);
    if (last?.core === core) last.steps++;
    else blocks.push({ core, steps: 1 });
  }
  return blocks;
}

export function fromBlocks(blocks: readonly Block[]): string {
  return blocks.map(({ core, steps }) => String(core).repeat(steps)).join("");
}

export function toText(choices: string): string {
  return toBlocks(choices)
    .map(({ core, steps }) => (steps === 1 ? `${core}` : `${core}*${steps}`))
    .join(" ");
}

/** Undefined for what is no such text, or has more than `most` steps. */
export function fromText(text: string, most: number): string | undefined {
  const blocks: Block[] = [];
  let steps = 0;
  for (const word of text === "" ? [] : text.split(" ")) {
    const match = /^(\d)(?:\*([1-9]\d{0,9}))?$/.exec(word);
    if (match === null) return undefined;
    const block = { core: Number(match[1]), steps: Number(match[2] ?? 1) };
    steps += block.steps;
    if (steps > most) return undefined;
    blocks.push(block);
  }
  return fromBlocks(blocks);
}
