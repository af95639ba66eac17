/** An exponent with what is derived and what was measured, in a figure with a panel a quantity. */
interface PanelPoint {
  readonly quantity: string
  readonly derived: number
  readonly measured: number
}

/**
 * The vertical axis of a quantity's panels, as an encoding by field: all panels of the quantity have one range.
 *
 * @param hasTitle whether this panel names the quantity.
 */
export function exponentAxis(points: readonly PanelPoint[], quantity: string, hasTitle: boolean) {
  const all = points
    .filter((point) => point.quantity === quantity)
    .flatMap(({ derived, measured }) => [derived, measured])
  const domain = [Math.min(...all) - 0.35, Math.max(...all) + 0.45]
  return (field: string) => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: { title: hasTitle ? `exponent of ${quantity}` : null, tickCount: 5, format: ".1~f" },
  })
}
