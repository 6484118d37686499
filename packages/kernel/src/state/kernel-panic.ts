/** Thrown by kernel code that finds an impossible state; the trap loop turns it, like any other error there, into a panic. */
export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}
