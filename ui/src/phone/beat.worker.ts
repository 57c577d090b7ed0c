/** A timer beside the page: a page that nobody sees has its own timers once a minute, and a phone that is silent for so long is off. */
let timer: ReturnType<typeof setTimeout> | undefined;

/** After so many milliseconds the page hears of it; the newest message counts. */
addEventListener('message', ({ data }: MessageEvent<number>) => {
  clearTimeout(timer);
  timer = setTimeout(() => postMessage(undefined), data);
});
