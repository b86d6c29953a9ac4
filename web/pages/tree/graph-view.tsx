/** The shape of a goal: who started whom, and who waits for whom. Loaded when it is first looked at. */
import {
  Background,
  type Edge,
  Handle,
  type Node,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react'
import { Maximize, Minus, Plus } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { labelOf } from '../../../core/contract/label.ts'
import type { TreeStore } from '../../data/tree-store.ts'
import { useNode } from '../../data/use-tree.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { tree } from '../../words/tree.ts'
import { graphOf } from './graph.ts'
import '@xyflow/react/dist/base.css'

type TaskBox = Node<{ store: TreeStore; id: string }, 'task'>
const TYPES = { task: Box }
const CALM = matchMedia('(prefers-reduced-motion: reduce)')

type Props = { store: TreeStore; rootId: string; chosen: string; choose: (id: string) => void }

export function GraphView(props: Props) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  )
}

function Flow({ store, rootId, chosen, choose }: Props) {
  const root = useNode(store, rootId)
  // Statuses of the boxes are their own affair; the shape changes when tasks come, or when another part needs a look.
  const shape = root && `${root.total.tasks} ${root.total.needsYou} ${root.total.counts.failed + root.total.counts.dead}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: the store stays the same object while what is in it changes
  const graph = useMemo(() => graphOf(store, rootId), [store, rootId, shape])
  const flow = useReactFlow()
  const duration = CALM.matches ? 0 : 200
  const nodes: TaskBox[] = useMemo(
    () =>
      graph.nodes.map(({ id, x, y }) => ({
        id,
        type: 'task',
        position: { x, y },
        data: { store, id },
        selected: id === chosen,
        ariaLabel: titleIn(store, id),
        initialWidth: 200,
        initialHeight: 60,
      })),
    [graph, store, chosen],
  )
  const edges: Edge[] = useMemo(
    () =>
      graph.edges.map(({ from, to, kind }) => ({
        id: `${from}>${to}>${kind}`,
        source: from,
        target: to,
        type: kind === 'child' ? 'smoothstep' : 'straight',
        className: kind,
        focusable: false,
        ...(kind === 'after' ? { label: tree.graph.after } : {}),
      })),
    [graph],
  )
  // Enter on a box that has the focus selects it.
  const pick = (changes: NodeChange<TaskBox>[]) => {
    for (const change of changes) if (change.type === 'select' && change.selected) choose(change.id)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: fits anew when there are more boxes, not when they move
  useEffect(() => void flow.fitView({ maxZoom: 1, padding: 0.08, duration }), [flow, graph.nodes.length, rootId])
  return (
    <div className="graph">
      <ReactFlow
        aria-label={tree.graph.label}
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        onNodesChange={pick}
        nodesDraggable={false}
        nodesConnectable={false}
        deleteKeyCode={null}
        minZoom={0.1}
        maxZoom={1.5}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
        onlyRenderVisibleElements
        proOptions={{ hideAttribution: true }}
      >
        <Background />
      </ReactFlow>
      <div className="graph-tools">
        <IconButton icon={Plus} label={tree.graph.closer} onClick={() => void flow.zoomIn({ duration })} />
        <IconButton icon={Minus} label={tree.graph.further} onClick={() => void flow.zoomOut({ duration })} />
        <IconButton icon={Maximize} label={tree.graph.fit} onClick={() => void flow.fitView({ maxZoom: 1, duration })} />
      </div>
      {graph.leftOut > 0 && (
        <p className="graph-rest" role="status">
          <strong>{tree.graph.leftOut(graph.leftOut)}.</strong> {tree.graph.leftOutHow}
        </p>
      )}
    </div>
  )
}

function titleIn(store: TreeStore, id: string): string {
  const view = store.view(id)
  return view ? `${view.node.title}, ${labelOf(view.node).word}` : id
}

function Box({ data, selected }: NodeProps<TaskBox>) {
  const view = useNode(data.store, data.id)
  if (!view) return null
  const { node, total } = view
  const { word, tone } = labelOf(node)
  const spent = total.spend.costMicros > 0 || total.spend.unpricedCalls > 0
  return (
    <div className={`graph-box${selected ? ' chosen' : ''} edge-${tone}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <StatusIcon task={node} />
      <span className="graph-words">
        <span className="graph-title">{node.title}</span>
        <span className="dim">
          {word}
          {spent && ` · ${moneyWords(total.spend)}`}
        </span>
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}
