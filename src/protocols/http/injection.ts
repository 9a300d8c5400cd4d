import type { Abstract, Type } from '@nestjs/common';

/** Where TypeScript's decorators leave the types of a constructor's parameters; Nest injects by them. */
const PARAMETER_TYPES = 'design:paramtypes';

/** What every controller of ours has first: the upload type, and the host of the adapter. */
const OURS = 2;

/**
 * Has injected into `made`, a door's controller, what the app's own class that it extends asks for behind our parameters.
 * @throws TypeError when that class has no decorator, so that nobody knows what it asks for.
 */
export function inheritInjections(made: Type<object>, base: Type<object> | Abstract<object>): void {
  const typesOf = (type: object) => (Reflect.getOwnMetadata(PARAMETER_TYPES, type) ?? []) as unknown[];
  const asked = (Reflect.getMetadata(PARAMETER_TYPES, base) ?? []) as unknown[];
  if (base.length > Math.max(OURS, asked.length)) {
    throw new TypeError(
      `Decorate ${base.name} with @Injectable(): its constructor asks for more than its base does.`,
    );
  }
  const types = [...typesOf(made).slice(0, OURS), ...asked.slice(OURS)];
  Reflect.defineMetadata(PARAMETER_TYPES, types, made);
}
