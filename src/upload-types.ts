import { InvalidOptionError } from './option-values.js';
import type { UploadType } from './upload-type.js';

/** The upload types of an app, in the order they were registered. */
export class UploadTypes implements Iterable<UploadType> {
  private readonly byName = new Map<string, UploadType>();

  /** @throws InvalidOptionError for a name or a route that another type has. */
  add(type: UploadType): void {
    if (this.byName.has(type.name)) throw registeredTwice(type.name);
    const other = [...this].find(({ routes }) => routes.some((route) => type.routes.includes(route)));
    if (other) {
      throw new InvalidOptionError(
        `The upload types ${other.name} and ${type.name} have the same route; give one another path.`,
      );
    }
    this.byName.set(type.name, type);
  }

  get(name: string): UploadType | undefined {
    return this.byName.get(name);
  }

  [Symbol.iterator](): Iterator<UploadType> {
    return this.byName.values();
  }
}

/** The error for an entity that makes two upload types. */
export function registeredTwice(name: string): InvalidOptionError {
  return new InvalidOptionError(
    `There are two upload types of the entity ${name}: register each entity once, in forRoot or forFeature.`,
  );
}
