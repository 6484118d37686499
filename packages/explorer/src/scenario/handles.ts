/**
 * What a program under test holds in place of the views of shared memory. Transformed code only tells the explorer
 * which of them it means; any other use would be an access that the explorer does not see, and throws.
 */
import type { Memory } from "./define.js";

export const UNSEEN =
  "the checker does not see this access: write it in an ordinary function, which is no constructor, accessor, generator or callback and is not async";

export function handlesOf(views: Memory): Memory {
  return {
    i32: handleOf("i32", views.i32),
    f64: handleOf("f64", views.f64),
    u8: handleOf("u8", views.u8),
  };
}

function handleOf<View extends Memory[keyof Memory]>(name: string, view: View): View {
  const handle = new Proxy(Object.freeze({}), {
    get(_, key) {
      if (key === "length" || key === "BYTES_PER_ELEMENT") return view[key];
      if (typeof key === "symbol" || isIndex(key)) throw new TypeError(`${name}: ${UNSEEN}`);
      if (key === "buffer")
        throw new TypeError(
          `${name}.buffer: use i32, f64 and u8 as they are given: the checker sees no other views`,
        );
      throw new TypeError(`${name}.${key}: access elements one at a time: the checker does not see into it`);
    },
    set() {
      throw new TypeError(`${name}: ${UNSEEN}`);
    },
  });
  return handle as unknown as View;
}

/** What `Atomics` says of something that is no view. */
export function isOfHandle(error: unknown): boolean {
  return error instanceof TypeError && / is not an? [a-z ]*typed array/.test(error.message);
}

function isIndex(key: string): boolean {
  return String(Number(key)) === key;
}
