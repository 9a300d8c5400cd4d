/** An operation as OpenAPI describes it. */
export interface OperationDocument {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<number, object>>;
}

/**
 * Describes controller methods for `@nestjs/swagger`, by the metadata its decorators write: the package needs not be
 * there, and where it is the routes appear complete. `null` hides a method.
 */
export function documentOperations(
  controller: { readonly prototype: object },
  operations: Readonly<Record<string, OperationDocument | null>>,
): void {
  for (const [name, operation] of Object.entries(operations)) {
    const method: unknown = Reflect.get(controller.prototype, name);
    if (typeof method !== 'function') throw new Error(`There is no method ${name} to describe.`);
    if (operation === null) {
      Reflect.defineMetadata('swagger/apiExcludeEndpoint', { disable: true }, method);
      continue;
    }
    const { parameters, responses, ...rest } = operation;
    Reflect.defineMetadata('swagger/apiOperation', rest, method);
    Reflect.defineMetadata('swagger/apiResponse', responses, method);
    if (parameters) Reflect.defineMetadata('swagger/apiParameters', parameters, method);
  }
}
