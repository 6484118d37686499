/** What the rows of a table can be ordered by: shares and rates from the highest, the others from the lowest. */
export const SORT_KEYS = ["cpu", "calls", "name", "core", "state"] as const;
export type SortKey = (typeof SORT_KEYS)[number];
