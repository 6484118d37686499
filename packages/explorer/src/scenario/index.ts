/** Scenarios of programs that are no part of this one: files that export them. */
export { catalogueOf } from "./catalogue.js";
