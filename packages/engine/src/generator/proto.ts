/**
 * `Object.prototype.__proto__` as the language has it. Node can be told to take it away, or to make it throw
 * (`--disable-proto`), and does so in every thread: guests would find another language on such a host, and SES no
 * intrinsic that it knows.
 */

/** Puts it back where it is not as it should be. Before `repairIntrinsics()`. */
export function restoreProto(): void {
  if (isWhole()) return;
  // Of an object literal: a function of its own would have a prototype, and could be constructed.
  const accessor = Object.getOwnPropertyDescriptor(ACCESSOR, "__proto__")!;
  Object.defineProperty(Object.prototype, "__proto__", { ...accessor, enumerable: false });
}

function isWhole(): boolean {
  try {
    return Reflect.get(Object.prototype, "__proto__", []) === Array.prototype;
  } catch {
    return false;
  }
}

const ACCESSOR = Object.freeze({
  get ["__proto__"](): unknown {
    if (this === undefined || this === null) throw new TypeError("__proto__ of undefined or null");
    return Object.getPrototypeOf(this);
  },
  set ["__proto__"](value: unknown) {
    if (this === undefined || this === null) throw new TypeError("__proto__ of undefined or null");
    const isObject = typeof this === "object" || typeof this === "function";
    if (!isObject || !(value === null || typeof value === "object" || typeof value === "function")) return;
    Object.setPrototypeOf(this, value);
  },
});
