/**
 * A client's way through the rounds of `call.pairs`: what is a rehearsal, how many calls it made in each
 * window of the round that counts.
 *
 * Two short rounds go every way there is: where compiled code first goes another way it is thrown away,
 * and to have it again takes some hundred thousand calls. The third is for it to be compiled. It lasts
 * for a number of calls, not for a time: each core compiles for itself, and where cores share the host's
 * CPUs time passes for those that wait. For the same reason a field is a small integer in every round,
 * or a fraction in every round.
 */
export const ROUNDS = 4;

export class Rounds {
  /** Calls made in each window of the latest round. */
  readonly counts: number[] = [];
  /** When the round begins. */
  startNs = 0.5;

  #round = 0;
  #callsWanted = 0;
  #windowsWanted = 0;
  #stepNs = 0.5;
  #endNs = 0.5;
  #calls = 0;
  #callsBefore = 0;

  /** @param step calls between two looks at the clock */
  constructor(
    private readonly step: number,
    private readonly rehearsalCalls: number,
    private readonly windows: number,
    private readonly windowNs: number,
  ) {}

  /** Whether there is another round. */
  get left(): boolean {
    return this.#round < ROUNDS;
  }

  begin(startNs: number): void {
    const counts = this.#round === ROUNDS - 1;
    this.#callsWanted = counts ? 0 : this.#round === ROUNDS - 2 ? this.rehearsalCalls : this.step;
    this.#windowsWanted = counts ? this.windows : 0;
    // A rehearsal goes through its windows at once.
    this.#stepNs = counts ? this.windowNs : 0.5;
    this.startNs = startNs;
    this.#endNs = startNs + this.#stepNs;
    this.#calls = 0;
    this.#callsBefore = 0;
    this.counts.length = 0;
    this.#round++;
  }

  /** Takes note of `step` calls made by now; false when the round is over. */
  goesOn(nowNs: number): boolean {
    this.#calls += this.step;
    while (nowNs >= this.#endNs && this.counts.length < this.windows) {
      this.counts.push(this.#calls - this.#callsBefore);
      this.#callsBefore = this.#calls;
      this.#endNs += this.#stepNs;
    }
    return this.#calls < this.#callsWanted || this.counts.length < this.#windowsWanted;
  }
}
