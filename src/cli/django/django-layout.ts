/** The Django apps whose tables can be read. */
export const LAYOUT_NAMES = [
  'django-chunked-upload',
  'drf-chunked-upload',
  'django-chunked-uploads',
] as const;

export type LayoutName = (typeof LAYOUT_NAMES)[number];

/** How one Django app calls the columns of its table. */
export interface DjangoLayout {
  readonly name: LayoutName;
  /** The table as Django's migrations call it where nobody made a model of their own. */
  readonly table: string;
  /** The column with the id that clients know. */
  readonly id: string;
  readonly file: string;
  /** Bytes received; null: what the table of chunks says. */
  readonly received: string | null;
  /** The declared size; null where none is kept. */
  readonly size: string | null;
  readonly status: string;
  /** Values of the status that mean complete; 1 means uploading everywhere, and whatever is left was given up. */
  readonly complete: readonly number[];
  readonly createdAt: string;
  readonly completedAt: string | null;
}

const LAYOUTS: Readonly<Record<LayoutName, DjangoLayout>> = {
  'django-chunked-upload': {
    name: 'django-chunked-upload',
    table: 'chunked_upload_chunkedupload',
    id: 'upload_id',
    file: 'file',
    received: 'offset',
    size: null,
    status: 'status',
    complete: [2],
    createdAt: 'created_on',
    completedAt: 'completed_on',
  },
  // The fork with owners has the same columns and some more.
  'drf-chunked-upload': {
    name: 'drf-chunked-upload',
    table: 'drf_chunked_upload_chunkedupload',
    id: 'id',
    file: 'file',
    received: 'offset',
    size: null,
    status: 'status',
    complete: [2],
    createdAt: 'created_at',
    completedAt: 'completed_at',
  },
  // One file a chunk, put together at the end; eldarion's has a state 3 for those that are.
  'django-chunked-uploads': {
    name: 'django-chunked-uploads',
    table: 'chunked_uploads_upload',
    id: 'uuid',
    file: 'upload',
    received: null,
    size: 'filesize',
    status: 'state',
    complete: [2, 3],
    createdAt: 'created_at',
    completedAt: null,
  },
};

/** Tables to look for where none is named. */
export const KNOWN_TABLES: readonly string[] = Object.values(LAYOUTS).map(({ table }) => table);

/**
 * The layout of a table, by its columns.
 * @param wanted the name of a layout, or `auto`.
 * @throws Error that says which columns are missing.
 */
export function layoutOf(columns: ReadonlySet<string>, wanted: LayoutName | 'auto'): DjangoLayout {
  const candidates = wanted === 'auto' ? Object.values(LAYOUTS) : [LAYOUTS[wanted]];
  const layout = candidates.find((candidate) => missingColumns(candidate, columns).length === 0);
  if (layout) return layout;
  const [first] = candidates;
  throw new Error(
    wanted !== 'auto' && first
      ? `A table of ${wanted} has the columns ${missingColumns(first, columns).join(', ')}; this one does not.`
      : `The columns (${[...columns].join(', ')}) are those of no known Django app; a model that extends one has all of its columns.`,
  );
}

function missingColumns(layout: DjangoLayout, columns: ReadonlySet<string>): string[] {
  const { id, file, received, size, status, createdAt, completedAt } = layout;
  const needed = ['id', 'filename', id, file, received, size, status, createdAt, completedAt];
  return needed.filter((name): name is string => name !== null && !columns.has(name));
}
