import { useEffect, useRef, useState } from 'react';

/** The focus of a form that is a page: at first in its first field, and in the first wrong one when it was refused. */
export function useFormFocus(isNew: boolean) {
  const form = useRef<HTMLFormElement>(null);
  const [refusals, setRefusals] = useState(0);
  useEffect(() => {
    if (isNew) form.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus({ preventScroll: true });
  }, [isNew]);
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);
  return { form, showFault: () => setRefusals((count) => count + 1) };
}
