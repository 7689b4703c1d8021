import { lazy, Suspense, useSyncExternalStore } from 'react';
import { messageOf } from '@/api/problem';
import { fetchLater } from '@/lib/settled';

const load = () => import('./Toasts');
fetchLater(load);

let isWanted = false;
const listeners = new Set<() => void>();

/** In the order in which they were asked for: a promise keeps it. */
function withToasts(show: (toasts: typeof import('./Toasts')) => void) {
  const tell = (toasts: typeof import('./Toasts')) => {
    isWanted = true;
    for (const listener of listeners) listener();
    show(toasts);
  };
  // Without a connection there is nothing to show them with; the banner says that there is none.
  void load().then(tell, () => undefined);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const Toasts = lazy(load);

/** Stands in the page once; shows nothing until there is something to say. */
export function ToastPlace() {
  const wanted = useSyncExternalStore(subscribe, () => isWanted);
  return (
    wanted && (
      <Suspense fallback={null}>
        <Toasts />
      </Suspense>
    )
  );
}

export function toast(message: string) {
  withToasts(({ showToast }) => showToast(message));
}

export function toastError(what: string, error: unknown) {
  withToasts(({ showError }) => showError(what, messageOf(error)));
}

/** Says what was done and offers to take it back. Only the last one is offered: moving ten cards must not pile up. */
export function toastUndo(message: string, undo: () => void) {
  withToasts(({ showUndo }) => showUndo(message, undo));
}
