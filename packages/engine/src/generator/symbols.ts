/**
 * The symbols that a guest's `Symbol.for` knows. V8's own registry is the worker's, and forgets nothing: one guest
 * could fill it for all that come after. This one is a thread's, as all else that it can get hold of, and goes with it.
 */
import { replaceMethods } from "./shim-guard.js";

/** Of one thread. */
export class GuestSymbols {
  readonly #byKey = new Map<string, symbol>();
  readonly #keys = new Map<symbol, string>();

  for(key: string): symbol {
    let symbol = this.#byKey.get(key);
    if (symbol === undefined) {
      symbol = Symbol(key);
      this.#byKey.set(key, symbol);
      this.#keys.set(symbol, key);
    }
    return symbol;
  }

  keyFor(symbol: symbol): string | undefined {
    return this.#keys.get(symbol);
  }
}

/**
 * Gives the realm's `Symbol` a registry for each guest. Works on what `repairIntrinsics()` left, which guests share.
 *
 * @param symbolsOf those of the guest that runs; null for the kernel and all else in the worker, which has V8's
 */
export function separateSymbols(symbolsOf: () => GuestSymbols | null): void {
  const shared = Symbol.prototype.constructor as SymbolConstructor;
  const native = Symbol;
  const nativeFor = native.for;
  const nativeKeyFor = native.keyFor;
  const methods = {
    for(key: unknown): symbol {
      const text = `${key as string}`;
      return symbolsOf()?.for(text) ?? nativeFor(text);
    },
    keyFor(symbol: unknown): string | undefined {
      if (typeof symbol !== "symbol") throw new TypeError(`${typeof symbol} is not a symbol`);
      const symbols = symbolsOf();
      return symbols === null ? nativeKeyFor(symbol) : symbols.keyFor(symbol);
    },
  };
  replaceMethods(shared, methods);
}
