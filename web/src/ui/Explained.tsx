import { Tooltip } from '@mantine/core';
import type { ReactElement } from 'react';

/** Says why a control is off to whoever points at it or comes to it with the keyboard. */
export default function Explained({ why, children }: { why: string; children: ReactElement }) {
  return (
    <Tooltip label={why} events={{ hover: true, focus: true, touch: true }}>
      {children}
    </Tooltip>
  );
}
