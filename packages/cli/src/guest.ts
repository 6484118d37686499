/** What guests are written against, and files of protocols that an application imports too. */
export * from "@capos/libos/guest";
