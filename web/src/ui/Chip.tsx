import { Pill } from '@mantine/core';
import type { ReactNode } from 'react';

interface ChipProps {
  /** What the cross takes away, in words for those who do not see it. */
  label: string;
  onRemove: () => void;
  children: ReactNode;
}

/** Something that is filtered by, with a cross that keys reach and screen readers name: Mantine's own hides it from both. */
export function Chip({ label, onRemove, children }: ChipProps) {
  return (
    <Pill
      withRemoveButton
      size="sm"
      removeButtonProps={{ 'aria-label': `Remove the filter ${label}`, 'aria-hidden': undefined, tabIndex: 0 }}
      onRemove={onRemove}
    >
      {children}
    </Pill>
  );
}
