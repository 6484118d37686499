/** Numbers that declarations are known by: two sides that were built from different ones find out. */
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** FNV-1a over UTF-16 units, 32 bits. It tells apart what was never meant to match; it keeps no attacker out. */
export function fingerprint(text: string): number {
  let value = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
  // Never 0: kernel objects' methods are below 256, so no request of a protocol is one of theirs.
  return value >>> 0 || 1;
}
