/** What the other cores do while a grace period passes, in the rows `grace-period`. */
export const enum Others {
  IDLE = 0,
  GUESTS = 1,
  TRAPS = 2,
}
