/** The widget as websites show it, by its own code: a preview that is drawn by other code shows something else. */
export type { Settings as WidgetSettings } from '../../../embed/src/widget/settings';
export { showWidget } from '../../../embed/src/widget/view';
