import { Header, HttpCode, RequestMapping, RequestMethod } from '@nestjs/common';
import { UploadError } from '../../errors/upload-error.js';

const METHODS = ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'] as const;

/**
 * Adds to a controller the methods its paths do not have: OPTIONS tells which there are, the rest is refused with 405
 * and `Allow` (RFC 9110 section 15.5.6) instead of a 404 that hides the path.
 * @returns the names of the methods added.
 */
export function addOtherMethods(
  controller: new (...dependencies: never[]) => object,
  routes: Readonly<Record<string, readonly string[]>>,
): string[] {
  return Object.entries(routes).flatMap(([path, methods]) => {
    const allow = [...methods, 'OPTIONS'].sort();
    const refused = METHODS.filter((method) => !methods.includes(method));
    return [
      ...refused.map((method) => addHandler(controller, { path, method, allow, status: 405 })),
      addHandler(controller, { path, method: 'OPTIONS', allow, status: 204 }),
    ];
  });
}

interface OtherMethod {
  readonly path: string;
  readonly method: (typeof METHODS)[number] | 'OPTIONS';
  readonly allow: readonly string[];
  readonly status: 204 | 405;
}

function addHandler(
  controller: new (...dependencies: never[]) => object,
  { path, method, allow, status }: OtherMethod,
): string {
  const name = `${method.toLowerCase()} ${path}`;
  const handler = () => {
    const message = `There is no ${method} here, only ${allow.join(', ')}.`;
    if (status === 405) throw new UploadError('method_not_allowed', message, { allow });
  };
  const prototype = controller.prototype as Record<string, unknown>;
  Object.defineProperty(prototype, name, { value: handler, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  RequestMapping({ path, method: RequestMethod[method] })(prototype, name, descriptor);
  HttpCode(status)(prototype, name, descriptor);
  if (status === 204) Header('Allow', allow.join(', '))(prototype, name, descriptor);
  return name;
}
