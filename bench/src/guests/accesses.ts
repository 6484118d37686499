/** What a guest of rows `load`, `store` and `copy` does. */
export const enum Access {
  LOAD = 0,
  STORE = 1,
  COPY = 2,
}
