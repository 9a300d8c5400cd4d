import type { CanActivate, Type } from '@nestjs/common';

/** Options of `ChunkedUploadUiModule.forRoot`. */
export interface UploadPageOptions {
  /** Route of the page, inside the global prefix and outside any version. @default '/' */
  readonly path?: string;
  /**
   * Route of the upload type that the page uploads to: a path of the app, inside the global prefix and with its version
   * (`v1/avatars`), or a url of another origin, which has to allow the page's (CORS). @default 'upload'
   */
  readonly endpoint?: string;
  /** Title and heading. @default 'Uploads' */
  readonly title?: string;
  /** Guards of the page and its files; those of the uploads are the upload type's own. @default [] */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Class decorators for the controller, such as `SkipThrottle()` or your own `Public()`. @default [] */
  readonly decorators?: readonly ClassDecorator[];
}

/** The options, complete. */
export type CompletePageOptions = Required<UploadPageOptions>;

/** What the page does where its options say nothing. */
export const DEFAULT_PAGE_OPTIONS: CompletePageOptions = {
  path: '/',
  endpoint: 'upload',
  title: 'Uploads',
  guards: [],
  decorators: [],
};

/** The endpoint's origin when it is another one than the page's; null for a path of the app. */
export function foreignOrigin(endpoint: string): string | null {
  return /^https?:\/\//i.test(endpoint) ? new URL(endpoint).origin : null;
}

/** The endpoint as the page asks for it: relative to the page, so that it holds behind any prefix of a proxy. */
export function endpointFromPage({ path, endpoint }: Pick<CompletePageOptions, 'path' | 'endpoint'>): string {
  if (foreignOrigin(endpoint) !== null) return endpoint;
  const depth = segmentsOf(path).length;
  return `${depth === 0 ? './' : '../'.repeat(depth)}${segmentsOf(endpoint).join('/')}`;
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter(Boolean);
}
