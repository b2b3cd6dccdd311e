"""What leaves CostLab: a page to send, a table for a spreadsheet, and cards in a notebook. No pandas, no network."""
