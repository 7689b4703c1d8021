import {
  type ComponentType,
  cloneElement,
  type HTMLAttributes,
  lazy,
  type ReactElement,
  type ReactNode,
  type Ref,
  Suspense,
  startTransition,
  useEffect,
  useState,
} from 'react';
import { fetchLater } from '@/lib/settled';

/** What is fetched only when it is opened, because no first look at a page needs it. */

type Module<P> = { default: ComponentType<P> };

/** A component whose script is fetched when it is first drawn, or before that while the browser is idle. */
export function later<P extends object>(load: () => Promise<Module<P>>) {
  fetchLater(load);
  return lazy(load);
}

interface FromFirstUseProps {
  isOpen: boolean;
  children: (isOpen: boolean) => ReactNode;
}

/** Mounts a dialog that is fetched `later` when it is first opened. From then on it stays: its way out is animated. */
export function FromFirstUse({ isOpen, children }: FromFirstUseProps) {
  const [wasOpened, setOpened] = useState(false);
  if (isOpen && !wasOpened) setOpened(true);
  if (!wasOpened) return null;
  return (
    <Suspense fallback={null}>
      <ClosedFirst isOpen={isOpen}>{children}</ClosedFirst>
    </Suspense>
  );
}

/** A dialog remembers where the focus was when it opens, and so must be there, closed, before. */
function ClosedFirst({ isOpen, children }: FromFirstUseProps) {
  const [isMounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  return children(isOpen && isMounted);
}

type Control = ReactElement<HTMLAttributes<HTMLElement> & { ref?: Ref<HTMLButtonElement> }>;

interface OnDemandProps {
  /** The button that opens. */
  children: Control;
  popup?: 'menu' | 'dialog';
  /** What takes the button's place once it was pressed: the menu around the same button, which opens by itself. */
  menu: (control: Control) => ReactNode;
}

/** The button took the place of one that had the focus. */
const takeFocus = (button: HTMLButtonElement | null) => {
  if (button && document.activeElement === document.body) button.focus();
};

/** A button whose menu is fetched when it is first opened. */
export function OnDemand({ children, popup = 'menu', menu }: OnDemandProps) {
  const [isWanted, setWanted] = useState(false);
  const closed = () =>
    cloneElement(children, {
      'aria-haspopup': popup,
      'aria-expanded': false,
      onClick: () => startTransition(() => setWanted(true)),
    });
  return <Suspense fallback={null}>{isWanted ? menu(cloneElement(children, { ref: takeFocus })) : closed()}</Suspense>;
}

/** For a menu that was asked for: it is mounted closed, so that it learns where the focus is, and opens at once. */
export function useOpensAtOnce() {
  const [opened, setOpened] = useState(false);
  useEffect(() => setOpened(true), []);
  return { opened, onChange: setOpened };
}
