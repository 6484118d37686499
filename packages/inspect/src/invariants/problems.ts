/** What is wrong with a machine's memory, by the rule that it breaks. */
export class Problems {
  readonly #byRule = new Map<string, string[]>();

  add(rule: string, detail: string): void {
    const known = this.#byRule.get(rule);
    if (known === undefined) this.#byRule.set(rule, [detail]);
    // One corruption breaks much: the first few say where.
    else if (known.length < MOST_DETAILS) known.push(detail);
  }

  get all(): ReadonlyMap<string, readonly string[]> {
    return this.#byRule;
  }
}

const MOST_DETAILS = 8;
