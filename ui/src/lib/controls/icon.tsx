/** Owns: the icons. They are decoration beside a text, so they have no name of their own. */
const PATHS = {
  lock: 'M5 8V6a3 3 0 0 1 6 0v2M4 8h8v6H4z',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2.5 14.5 13.5h-13zM8 6.5v3.5M8 11.8v.1',
  question: 'M6 6a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 12v.1M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z',
  clock: 'M8 4.5V8l2.5 1.5M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z',
  phone: 'M4 2.5h2l1 3-1.5 1a7 7 0 0 0 4 4l1-1.5 3 1v2c0 .8-.7 1.5-1.5 1.5A10 10 0 0 1 2.5 4c0-.8.7-1.5 1.5-1.5z',
  record: 'M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z',
  line: 'M2 8h2l1.5-4 3 8L10.5 6 12 8h2',
  mute: 'M6 4.5v3.2a2 2 0 0 0 3.2 1.6M10 8V4a2 2 0 0 0-3.4-1.4M4 7.5a4 4 0 0 0 6.3 3.3M12 7.5c0 .7-.2 1.3-.5 1.9M8 11.5V14M2.5 2.5l11 11',
  hold: 'M5.5 3v10M10.5 3v10',
  keypad: 'M4 3.5v.1M8 3.5v.1M12 3.5v.1M4 7.5v.1M8 7.5v.1M12 7.5v.1M4 11.5v.1M8 11.5v.1M12 11.5v.1',
  card: 'M1.5 4h13v8.5h-13zM1.5 6.8h13M4 10h2.5',
  bank: 'M2 6.5 8 3l6 3.5zM3.5 6.5V12M6.5 6.5V12M9.5 6.5V12M12.5 6.5V12M2 13h12',
  chevron: 'M4 6l4 4 4-4',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  add: 'M8 3v10M3 8h10',
  edit: 'M3 13l.6-3L10.5 3 13 5.5 6 12.4z',
  remove: 'M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.6 9h5.8l.6-9',
  right: 'M6 4l4 4-4 4',
  more: 'M8 3.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM8 8.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM8 13.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1z',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  history: 'M2.5 8a5.5 5.5 0 1 0 1.6-3.9L2.5 5.6M2.5 2.5v3.1h3.1M8 5v3.2l2 1.3',
  out: 'M8 10V2.5M5 5l3-3 3 3M3 9v4.5h10V9',
  in: 'M8 2.5V10M5 7.5l3 3 3-3M3 9v4.5h10V9',
  people: 'M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.9c1.5.5 2.5 1.8 2.5 3.6',
  grip: 'M6 4.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM10 4.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM6 8.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM10 8.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM6 12.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM10 12.5a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1z',
  undo: 'M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.5 3.5l-3 3 3 3',
  globe: 'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM1.5 8h13M8 1.5c2 1.8 2.7 4 2.7 6.5S10 12.7 8 14.5C6 12.7 5.3 10.5 5.3 8S6 3.3 8 1.5z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg aria-hidden="true" focusable="false" width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} fill={name === 'record' ? 'currentColor' : undefined} />
    </svg>
  );
}
