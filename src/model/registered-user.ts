/**
 * Tells the types of this package what the `user` option makes of a token, once for the whole application:
 *
 * ```ts
 * declare module 'nestjs-resource-server' {
 *   interface Register { user: MyUser }
 * }
 * ```
 *
 * Then `AuthModule.forRoot` checks that `user` returns it, and `@CurrentUser()` that the parameter can take it.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- there to be merged into
export interface Register {}

/** The user's own type, or `unknown` when none was registered. */
export type RegisteredUser = Register extends { user: infer User } ? User : unknown;
