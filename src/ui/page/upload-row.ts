import type { ChunkedUpload, ChunkedUploadError, UploadState } from '../../client/index.js';
import { element, fileButton, nameButton, setShown } from './dom.js';
import { canTryAgain, whatHappened, wordsFor } from './error-words.js';
import { describeProgress } from './state-words.js';

/** States in which somebody may want to stop for a while. */
const PAUSABLE: readonly UploadState[] = ['waiting', 'offline', 'uploading'];

/** Of a line that is dead nothing is told. */
const TICK_MS = 1_000;

/** An upload of this visit: how far it is, and the buttons for it. */
export class UploadRow {
  readonly element: HTMLLIElement;
  private readonly bar = element('progress', { props: { max: 1, value: 0 } });
  private readonly status = element('p', { props: { className: 'status' } });
  private readonly trouble = element('p', { props: { className: 'trouble', hidden: true } });
  /** Gets the keyboard where no button is left but the one that deletes. */
  private readonly title: HTMLHeadingElement;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private readonly pause: HTMLButtonElement;
  private readonly again: HTMLButtonElement;
  private readonly cancel: HTMLButtonElement;

  /** @param onCancel somebody wants to get rid of it. */
  constructor(
    private readonly upload: ChunkedUpload,
    private readonly file: File,
    onCancel: () => void,
  ) {
    const { name } = file;
    this.title = element('h3', { props: { tabIndex: -1 }, children: [name] });
    this.bar.setAttribute('aria-label', name);
    this.pause = fileButton('Pause', name, () => this.pauseOrResume());
    this.again = fileButton('Try again', name, () => this.tryAgain());
    this.cancel = fileButton('Cancel', name, onCancel);
    this.cancel.classList.add('deletes');
    this.element = this.layOut();
    upload.on('progress', () => this.show());
    upload.on('statechange', (state) => this.enter(state));
    upload.on('retry', ({ error, delayMs }) => delayMs > 0 && this.explainWait(error));
    upload.on('error', (error) => this.explainEnd(error));
    this.enter(upload.state);
    this.show();
  }

  get hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }

  private layOut(): HTMLLIElement {
    const buttons = element('div', { props: { className: 'buttons' } });
    buttons.append(this.again, this.pause, this.cancel);
    const about = element('div', { props: { className: 'about' }, children: [this.title, this.status] });
    return element('li', { props: { className: 'row' }, children: [about, buttons, this.bar, this.trouble] });
  }

  private pauseOrResume(): void {
    if (this.upload.state === 'paused') this.upload.resume();
    else this.upload.pause();
  }

  private tryAgain(): void {
    if (this.upload.state === 'failed') void this.upload.start().catch(() => undefined);
    else this.upload.resume();
  }

  private show(): void {
    const { progress } = this.upload;
    const size = progress.size ?? this.file.size;
    this.bar.value = size === 0 ? Number(progress.state === 'complete') : progress.bytesSent / size;
    this.status.textContent = describeProgress(progress, this.file, this.isTroubled);
  }

  private get isTroubled(): boolean {
    return !this.trouble.hidden;
  }

  private enter(state: UploadState): void {
    const { name } = this.file;
    const isOver = state !== 'waiting' || this.element.dataset.state === 'offline';
    this.element.dataset.state = state;
    clearInterval(this.ticking);
    if (state === 'uploading') this.ticking = setInterval(() => this.show(), TICK_MS);
    if (isOver) this.trouble.hidden = true;
    if (state === 'offline') this.complain('There is no network. It goes on by itself when it is back.');
    nameButton(this.pause, state === 'paused' ? 'Resume' : 'Pause', name);
    nameButton(this.cancel, 'Cancel', name);
    setShown(this.pause, state === 'paused' || PAUSABLE.includes(state), this.title);
    const isWaiting = state === 'waiting' && this.isTroubled;
    setShown(this.again, isWaiting, this.pause.hidden ? this.title : this.pause);
  }

  /** It goes on by itself, later. */
  private explainWait(error: ChunkedUploadError): void {
    this.complain(`${whatHappened(error)} It is tried again by itself.`);
    nameButton(this.again, 'Try now', this.file.name);
    this.again.hidden = false;
  }

  /** It does not go on by itself; perhaps not at all. */
  private explainEnd(error: ChunkedUploadError): void {
    this.complain(wordsFor(error));
    nameButton(this.again, 'Try again', this.file.name);
    setShown(this.again, canTryAgain(error), this.title);
    if (!canTryAgain(error)) nameButton(this.cancel, 'Remove', this.file.name);
  }

  private complain(words: string): void {
    this.trouble.textContent = words;
    this.trouble.hidden = false;
    this.show();
  }
}
