import type { UploadType } from '../upload-type.js';

/** The upload types of these names, or all. @throws RangeError for a name that is none. */
export function chosenTypes(
  all: Iterable<UploadType>,
  names: readonly string[] | undefined,
): readonly UploadType[] {
  const types = [...all];
  const unknown = names?.find((name) => !types.some((type) => type.name === name));
  if (unknown === undefined) return types.filter(({ name }) => !names || names.includes(name));
  throw new RangeError(
    `There is no upload type ${unknown}; there are: ${types.map(({ name }) => name).join(', ')}.`,
  );
}
