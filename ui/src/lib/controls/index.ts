export { Button } from './button';
export type { ButtonLook } from './button';
export { CheckInput, RadioInput, SelectInput, SwitchInput, TextInput } from './fields';
export type { Choice } from './fields';
export { Icon } from './icon';
export type { IconName } from './icon';
export { Chip, Notice } from './notices';
export type { Tone } from './notices';
export { Question, Sheet } from './overlay';
