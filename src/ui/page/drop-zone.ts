/**
 * Takes files that are chosen, or dropped anywhere on the page; folders with all that is in them.
 * @param zone shows that files may be dropped now.
 */
export function takeFiles(
  zone: HTMLElement,
  input: HTMLInputElement,
  onFiles: (files: readonly File[]) => void,
): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // So that the same file can be chosen again.
    input.value = '';
    onFiles(files);
  });
  const show = (isOver: boolean): void => void zone.classList.toggle('over', isOver);
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    show(true);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) show(false);
  });
  document.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    // Or the browser would leave the page and open the file.
    event.preventDefault();
    show(false);
    void filesIn(event.dataTransfer).then(onFiles);
  });
}

async function filesIn(transfer: DataTransfer): Promise<File[]> {
  // At once: the list is empty when the event is over.
  const found = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const files = found.map((each) =>
    each && !(each instanceof File) ? filesOf(each).catch(() => []) : Promise.resolve([each]),
  );
  return (await Promise.all(files)).flat().filter((file) => file !== null);
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    // A part of the folder each time; none at its end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return files;
    files.push(...(await Promise.all(part.map(filesOf))).flat());
  }
}
