import type { CanActivate, Type } from '@nestjs/common';

/** Options of `ChunkedUploadAdminModule.forRoot`. */
export interface UploadAdminOptions {
  /** Guards of every route, at least one: they say who is an administrator. Nothing below them asks again. */
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  /** Route. @default 'admin/uploads' */
  readonly path?: string;
  /** Version of the routes, as in `@Controller({ version })`. @default none */
  readonly version?: string | string[];
  /** Class decorators for the controller, such as `SkipThrottle()`. @default [] */
  readonly decorators?: readonly ClassDecorator[];
  /** Answers GET only; whatever changes something is refused with 403. @default false */
  readonly readOnly?: boolean;
  /**
   * Answers browsers on the same route with a page: the uploads board. The guards must take what a browser sends by itself, such
   * as a session's cookie or HTTP Basic.
   * @default false
   */
  readonly board?: boolean;
}
