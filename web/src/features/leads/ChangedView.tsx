import { Button } from '@mantine/core';
import { useState } from 'react';
import type { SavedView } from '@/api/shapes';
import { SaveViewDialog } from './SaveViewDialog';
import { useViewChanges } from './useViewChanges';
import type { ViewMenuProps } from './ViewMenu';

/** Beside a view that is not seen as it was saved: saves it, or makes another of it where it may not be changed. */
export default function ChangedView({ view, ...props }: ViewMenuProps & { view: SavedView }) {
  const { change, save, saveAs, onSaved } = useViewChanges(props);
  const [naming, setNaming] = useState(false);
  if (view.mayChange) {
    return (
      <Button variant="subtle" size="xs" loading={change.isPending} onClick={() => save(view)}>
        Save changes
      </Button>
    );
  }
  return (
    <>
      <Button variant="subtle" size="xs" onClick={() => setNaming(true)}>
        Changed
      </Button>
      <SaveViewDialog opened={naming} onClose={() => setNaming(false)} save={saveAs} onSaved={onSaved} />
    </>
  );
}
